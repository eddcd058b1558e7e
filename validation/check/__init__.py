# SPDX-License-Identifier: Apache-2.0
"""How many planted faults the checker of printed figures finds, and how often it calls an honest table wrong."""
