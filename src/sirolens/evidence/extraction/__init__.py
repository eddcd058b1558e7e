# SPDX-License-Identifier: Apache-2.0
"""Extraction: what is taken from the reports of one study, as typed fields."""
