# SPDX-License-Identifier: Apache-2.0
"""Appraisal: risk of bias by design, and the certainty of a body of evidence."""
