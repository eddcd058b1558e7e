# SPDX-License-Identifier: Apache-2.0
"""Questions to the calibrated mechanism: checks, sensitivity, who benefits."""
