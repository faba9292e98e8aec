"""The live process.

engine/   pure: one event in, a list of commands out
runtime/  the rim: feeds events in, journals them, carries commands out
doctor/   looks at everything that trading needs, before it is needed
"""
