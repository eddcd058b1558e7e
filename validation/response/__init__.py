# SPDX-License-Identifier: Apache-2.0
"""The classification of responses beside an independent interpreter of its rules."""
