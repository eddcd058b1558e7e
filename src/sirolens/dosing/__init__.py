# SPDX-License-Identifier: Apache-2.0
"""The dosing room: from a patient's history to practical regimens, their chances and their warnings."""
