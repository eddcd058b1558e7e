# SPDX-License-Identifier: Apache-2.0
"""Virtual patients as exported SBML in libRoadRunner, beside the same patients inside sirolens."""
