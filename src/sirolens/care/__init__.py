# SPDX-License-Identifier: Apache-2.0
"""Where the rooms meet for one patient: the consultation."""
