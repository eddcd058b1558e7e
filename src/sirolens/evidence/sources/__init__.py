# SPDX-License-Identifier: Apache-2.0
"""Where records come from: one file per format or service, all read into `sirolens.evidence.record.Record`."""
