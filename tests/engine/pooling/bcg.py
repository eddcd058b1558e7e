# SPDX-License-Identifier: Apache-2.0
"""Thirteen trials of the BCG vaccine against tuberculosis: the published set that meta-analysis is taught with.

Counts: Colditz GA et al. JAMA 1994;271:698-702, as in Table I of van Houwelingen HC, Arends LR, Stijnen T. Stat Med
2002;21:589-624 (doi 10.1002/sim.1040).
"""

from __future__ import annotations

import numpy as np

# vaccinated with tuberculosis, without; not vaccinated with, without; distance from the equator in degrees
TABLE = np.array(
    [
        [4, 119, 11, 128, 44],
        [6, 300, 29, 274, 55],
        [3, 228, 11, 209, 42],
        [62, 13536, 248, 12619, 52],
        [33, 5036, 47, 5761, 13],
        [180, 1361, 372, 1079, 44],
        [8, 2537, 10, 619, 19],
        [505, 87886, 499, 87892, 13],
        [29, 7470, 45, 7232, 27],
        [17, 1699, 65, 1600, 42],
        [186, 50448, 141, 27197, 18],
        [5, 2493, 3, 2338, 33],
        [27, 16886, 29, 17825, 33],
    ],
    dtype=np.float64,
)
K1, N1 = TABLE[:, 0], TABLE[:, 0] + TABLE[:, 1]
K2, N2 = TABLE[:, 2], TABLE[:, 2] + TABLE[:, 3]
LATITUDE = TABLE[:, 4]
PATIENTS = 357_347
