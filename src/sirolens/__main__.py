# SPDX-License-Identifier: Apache-2.0
"""``python -m sirolens``: the same door as the `sirolens` command."""

from sirolens.cli.main import main

if __name__ == "__main__":
    main()
