# SPDX-License-Identifier: Apache-2.0
"""Deduplication against public sets whose duplicates people marked."""
