# SPDX-License-Identifier: Apache-2.0
"""Study: a cohort analysed, a published study checked, an illustration reproduced."""
