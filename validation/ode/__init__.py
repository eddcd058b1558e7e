# SPDX-License-Identifier: Apache-2.0
"""The integrator in lanes: its orders, its tolerance, and where its steps must end."""
