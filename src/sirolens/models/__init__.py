# SPDX-License-Identifier: Apache-2.0
"""Pharmacology: drugs, population models as data, and what they predict; gives no advice."""
