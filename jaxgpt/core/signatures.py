"""The arguments of a class, for help() and editors, where its metaclass takes any."""

import inspect


class Signature:
    """As `__signature__` of a class: the arguments of its `__init__`. Its instances have none from here."""

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        signature = inspect.signature(owner.__init__)
        return signature.replace(parameters=list(signature.parameters.values())[1:])
