# SPDX-License-Identifier: Apache-2.0
"""Outside formats: charts as JSON and CSV, events as NM-TRAN tables."""
