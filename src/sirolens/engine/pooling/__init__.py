# SPDX-License-Identifier: Apache-2.0
"""Meta-analysis: arrays in, arrays out; every method names the paper of its formula and the oracle that checks it."""
