# SPDX-License-Identifier: Apache-2.0
"""The published evidence: from a search to a pooled estimate, every count folded from what was done."""
