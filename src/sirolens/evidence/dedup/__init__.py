# SPDX-License-Identifier: Apache-2.0
"""Deduplication: records of the same report brought together, also across languages."""
