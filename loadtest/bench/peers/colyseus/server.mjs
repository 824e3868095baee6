// A Colyseus room as its documentation shows one: messages in, a check of who is near, an answer.
// State is plain objects and is not synchronised back, which would only cost it more.
import http from "node:http";
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";

const REACH_M = 3.0;

class Town extends Room {
  onCreate() {
    this.maxMessagesPerSecond = Infinity;
    this.npcs = new Map();
    this.near = new Set();
    this.onMessage("tick", (client, tick) => {
      for (const npc of tick.npcs) this.npcs.set(npc.handle, npc);
      this.near.clear();
      for (const npc of this.npcs.values()) {
        for (const player of tick.players) {
          const dx = npc.position[0] - player.position[0];
          const dy = npc.position[1] - player.position[1];
          const dz = npc.position[2] - player.position[2];
          if (dx * dx + dy * dy + dz * dz <= REACH_M * REACH_M) this.near.add(npc.handle);
        }
      }
      client.send("tick_ack", tick.tick);
    });
  }
}

const listener = http.createServer();
const server = new Server({
  greet: false,
  transport: new WebSocketTransport({ server: listener, maxPayload: 16 * 1024 * 1024 }),
});
server.define("town", Town);
await server.listen(0, "127.0.0.1");
console.log(`listening on http://127.0.0.1:${listener.address().port}`);
