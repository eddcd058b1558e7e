# SPDX-License-Identifier: Apache-2.0
"""The long checks: what agrees with the outside world, what does not, and why."""
