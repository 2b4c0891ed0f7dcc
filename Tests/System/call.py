"""Calls a method with PyPI's varlink: call.py METHOD PARAMETERS [more]; prints a reply a line.

An error is printed with its name, and makes the exit status 1.
"""

import json
import sys

import varlink


def main(method, parameters, more=None):
    interface, _, name = method.rpartition(".")
    client = varlink.Client(f"unix:/run/acms/{interface}")
    with client.open(interface) as connection:
        call = getattr(connection, name)
        try:
            if more:
                for reply in call(**json.loads(parameters), _more=True):
                    print(json.dumps(reply))
            else:
                print(json.dumps(call(**json.loads(parameters))))
        except varlink.VarlinkError as error:
            print(json.dumps(error.as_dict()))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
