# SPDX-License-Identifier: Apache-2.0
"""Calibration of the mechanism: targets, prior, fit, and what is kept of it."""
