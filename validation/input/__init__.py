# SPDX-License-Identifier: Apache-2.0
"""A million rows of a patient's chart."""
