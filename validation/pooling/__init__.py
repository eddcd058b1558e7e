# SPDX-License-Identifier: Apache-2.0
"""Pooling, checked by means too slow for the tests."""
