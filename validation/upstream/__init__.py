# SPDX-License-Identifier: Apache-2.0
"""What the grid between blood concentration and inhibition costs in platelets."""
