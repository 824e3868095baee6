// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    internal static class ServerMessages
    {
        /// <summary>An empty message of that type, or null if there is none.</summary>
        internal static ServerMessage Create(string type)
        {
            switch (type)
            {
                case "welcome": return new WelcomeMessage();
                case "pong": return new PongMessage();
                case "ok": return new OkMessage();
                case "error": return new ErrorMessage();
                case "draining": return new DrainingMessage();
                case "engine_progress": return new EngineProgressMessage();
                case "spawned": return new SpawnedMessage();
                case "tick_ack": return new TickAckMessage();
                case "world_closed": return new WorldClosedMessage();
                case "joined": return new JoinedMessage();
                case "saved": return new SavedMessage();
                case "loaded": return new LoadedMessage();
                case "saves": return new SavesMessage();
                case "reply_start": return new ReplyStartMessage();
                case "reply_delta": return new ReplyDeltaMessage();
                case "reply_end": return new ReplyEndMessage();
                case "action": return new ActionMessage();
                case "script_registered": return new ScriptRegisteredMessage();
                case "npc_spawned": return new NpcSpawnedMessage();
                case "heard": return new HeardMessage();
                case "action_chosen": return new ActionChosenMessage();
                case "player_near": return new PlayerNearMessage();
                case "player_left": return new PlayerLeftMessage();
                case "npc_tick": return new NpcTickMessage();
                case "action_done": return new ActionDoneMessage();
                case "facts": return new FactsMessage();
                case "explanation": return new ExplanationMessage();
                case "moves": return new MovesMessage();
                case "npc_states": return new NpcStatesMessage();
                case "stats": return new StatsMessage();
                case "adapters": return new AdaptersMessage();
                default: return null;
            }
        }
    }

    /// <summary>Constants of callsheet.v1.</summary>
    public static class ProtocolInfo
    {
        /// <summary>Version of this page.</summary>
        public const string Protocol = "1.4";
        /// <summary>WebSocket subprotocol.</summary>
        public const string Subprotocol = "callsheet.v1";
        /// <summary>Greatest absolute value of a coordinate, and of a velocity component.</summary>
        public const double MaxCoordinateM = 1e+07;
        /// <summary>Characters of what is said.</summary>
        public const int MaxSpeechChars = 4000;
        /// <summary>Greatest integer, 2^53-1.</summary>
        public const long MaxInteger = 9007199254740991;
        /// <summary>Characters of a persona or lore.</summary>
        public const int MaxPersonaChars = 16000;
        internal const int MaxJsonDepth = 32;
    }
}
