# SPDX-License-Identifier: Apache-2.0
"""A review told: figures, tables and the report."""
