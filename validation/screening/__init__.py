# SPDX-License-Identifier: Apache-2.0
"""How early the ranking finds what belongs in, and how often the stop rule errs."""
