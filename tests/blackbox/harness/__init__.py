"""What the black-box tests stand on: the engine, images, a registry, servers, clients, waiting.

Nothing here knows what a test expects of the ECS API. Every subprocess and every socket has a
deadline, and every wait goes through `wait.wait_until`.
"""
