# SPDX-License-Identifier: Apache-2.0
"""Statistics of small clinical studies: arrays in, arrays out; every method names the oracle that checks it."""
