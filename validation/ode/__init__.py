# SPDX-License-Identifier: Apache-2.0
"""Integration of differential equations: orders, stiff problems, events, beside published values."""
