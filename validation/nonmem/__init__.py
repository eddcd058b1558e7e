# SPDX-License-Identifier: Apache-2.0
"""The linear engine beside NONMEM's own output."""
