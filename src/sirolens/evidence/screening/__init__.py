# SPDX-License-Identifier: Apache-2.0
"""Screening: two reviewers, the order of reading, and when to stop."""
