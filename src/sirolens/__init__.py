# SPDX-License-Identifier: Apache-2.0
"""sirolens: sirolimus in immune thrombocytopenia, from a patient's chart to the next dose and back."""

__version__ = "0.1.0"
