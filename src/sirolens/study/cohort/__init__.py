# SPDX-License-Identifier: Apache-2.0
"""A cohort analysed: from charts and criteria to everything its report shows."""
