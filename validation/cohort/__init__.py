# SPDX-License-Identifier: Apache-2.0
"""A cohort of 5,000 patients, read and counted."""
