# SPDX-License-Identifier: Apache-2.0
"""How the shipped designs of virtual trials behave on the uncalibrated population."""
