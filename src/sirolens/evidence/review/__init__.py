# SPDX-License-Identifier: Apache-2.0
"""A review as a folder: protocol, events, and every count folded from them."""
