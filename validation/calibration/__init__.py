# SPDX-License-Identifier: Apache-2.0
"""The mechanism fitted to published counts, and checked against what it was not fitted to."""
