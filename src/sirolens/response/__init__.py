# SPDX-License-Identifier: Apache-2.0
"""Response: what counts, who has responded and how safely; one kernel serves a chart, a cohort, virtual patients."""
