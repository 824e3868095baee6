"""A village in pygame: walk with the arrow keys, press space to talk to whoever is nearest.

pip install pygame-ce callsheet
callsheet serve --engine scripted
python examples/pygame_village.py [ws://HOST:PORT]
"""

import math
import sys
import time

import pygame

from callsheet import frames

SIZE, FPS, PIXELS_PER_M, STEP, REACH = (800, 600), 60, 32, 3, 96
PEOPLE = {
    "bram": ("Bram", (200, 150), "You keep the inn. You are tired, kind and proud of your stew."),
    "hale": ("Hale", (600, 150), "You guard the gate and want your supper."),
    "odila": ("Odila", (400, 380), "You mend nets on the quay. You are patient and dry."),
}
LINES = ("Good evening!", "What is new?", "Is it far to the ferry?")
KEYS = {
    pygame.K_LEFT: (-STEP, 0),
    pygame.K_RIGHT: (STEP, 0),
    pygame.K_UP: (0, -STEP),
    pygame.K_DOWN: (0, STEP),
}


def main(url: str) -> None:
    pygame.init()
    screen, font, clock = pygame.display.set_mode(SIZE), pygame.font.Font(), pygame.time.Clock()
    game = frames.connect(url, world="village", units_per_m=PIXELS_PER_M)
    for npc, (name, place, persona) in PEOPLE.items():
        game.npc(npc, name=name, persona=persona, position=place)
    ann = game.player("ann", name="Ann", position=(400, 300))
    said, took_ms, running = 0, [], True
    while running:
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                running = False
            elif event.type == pygame.KEYDOWN and event.key == pygame.K_SPACE:
                nearest = min(game.npcs.values(), key=lambda npc: distance(npc, ann))
                if distance(nearest, ann) < REACH and not nearest.talking:
                    nearest.say(LINES[said % len(LINES)], ann)
                    said += 1
        keys = pygame.key.get_pressed()
        for key, (dx, dy) in KEYS.items():
            if keys[key]:
                ann.position = (ann.position[0] + dx, ann.position[1] + dy)

        began_s = time.perf_counter()
        game.frame()
        took_ms.append((time.perf_counter() - began_s) * 1_000)

        screen.fill("darkgreen" if game.connected else "gray20")
        for person in (*game.npcs.values(), ann):
            pygame.draw.circle(screen, "white" if person is ann else "orange", person.position, 12)
            bubble = getattr(person, "bubble", "") or person.name
            text = font.render(bubble, True, "white")
            screen.blit(
                text, text.get_rect(midbottom=(person.position[0], person.position[1] - 16))
            )
        pygame.display.flip()
        clock.tick(FPS)
    game.close()
    pygame.quit()
    slow_ms = sorted(took_ms)[int(0.99 * len(took_ms))]
    print(f"{len(took_ms)} frames; game.frame() took {slow_ms:.2f} ms at the 99th percentile")


def distance(one: frames.FrameNpc, other: frames.FramePlayer) -> float:
    return math.dist(one.position, other.position)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8765")
