# SPDX-License-Identifier: Apache-2.0
"""Figures, tables, words and documents out of arrays and messages; knows no patient and no study."""
