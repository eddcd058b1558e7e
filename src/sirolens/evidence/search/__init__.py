# SPDX-License-Identifier: Apache-2.0
"""Search: expressions for each database, and the services that answer them."""
