# SPDX-License-Identifier: Apache-2.0
"""How often a band for the true trough holds it when another model than the fitted one is the truth."""
