// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>The server's side of the codec.</summary>
    internal static partial class Mirror
    {
        internal static ClientMessage Read(string type, FieldReader f)
        {
            switch (type)
            {
                case "hello": return ReadHelloMessage(f);
                case "ping": return ReadPingMessage(f);
                case "ack": return ReadAckMessage(f);
                case "bye": return ReadByeMessage(f);
                case "configure_world": return ReadConfigureWorldMessage(f);
                case "spawn": return ReadSpawnMessage(f);
                case "update_npc": return ReadUpdateNpcMessage(f);
                case "despawn": return ReadDespawnMessage(f);
                case "hint_calls": return ReadHintCallsMessage(f);
                case "tick": return ReadJsonTickMessage(f);
                case "join": return ReadJoinMessage(f);
                case "move_player": return ReadMovePlayerMessage(f);
                case "forget": return ReadForgetMessage(f);
                case "save": return ReadSaveMessage(f);
                case "load": return ReadLoadMessage(f);
                case "delete_save": return ReadDeleteSaveMessage(f);
                case "list_saves": return ReadListSavesMessage(f);
                case "say": return ReadSayMessage(f);
                case "hear": return ReadHearMessage(f);
                case "speak": return ReadSpeakMessage(f);
                case "cancel": return ReadCancelMessage(f);
                case "action_result": return ReadActionResultMessage(f);
                case "register_script": return ReadRegisterScriptMessage(f);
                case "unregister_script": return ReadUnregisterScriptMessage(f);
                case "hear_answer": return ReadHearAnswerMessage(f);
                case "action_verdict": return ReadActionVerdictMessage(f);
                case "set_facts": return ReadSetFactsMessage(f);
                case "get_facts": return ReadGetFactsMessage(f);
                case "subscribe": return ReadSubscribeMessage(f);
                case "explain": return ReadExplainMessage(f);
                case "set_policy": return ReadSetPolicyMessage(f);
                case "drain_replica": return ReadDrainReplicaMessage(f);
                case "set_adapter": return ReadSetAdapterMessage(f);
                case "remove_adapter": return ReadRemoveAdapterMessage(f);
                case "list_adapters": return ReadListAdaptersMessage(f);
                default: return null;
            }
        }

        internal static void Write(JsonWriter w, ServerMessage message)
        {
            switch (message.Type)
            {
                case "welcome": WriteWelcomeMessage(w, (WelcomeMessage)message); break;
                case "pong": WritePongMessage(w, (PongMessage)message); break;
                case "ok": WriteOkMessage(w, (OkMessage)message); break;
                case "error": WriteErrorMessage(w, (ErrorMessage)message); break;
                case "draining": WriteDrainingMessage(w, (DrainingMessage)message); break;
                case "engine_progress": WriteEngineProgressMessage(w, (EngineProgressMessage)message); break;
                case "spawned": WriteSpawnedMessage(w, (SpawnedMessage)message); break;
                case "tick_ack": WriteTickAckMessage(w, (TickAckMessage)message); break;
                case "world_closed": WriteWorldClosedMessage(w, (WorldClosedMessage)message); break;
                case "joined": WriteJoinedMessage(w, (JoinedMessage)message); break;
                case "saved": WriteSavedMessage(w, (SavedMessage)message); break;
                case "loaded": WriteLoadedMessage(w, (LoadedMessage)message); break;
                case "saves": WriteSavesMessage(w, (SavesMessage)message); break;
                case "reply_start": WriteReplyStartMessage(w, (ReplyStartMessage)message); break;
                case "reply_delta": WriteReplyDeltaMessage(w, (ReplyDeltaMessage)message); break;
                case "reply_end": WriteReplyEndMessage(w, (ReplyEndMessage)message); break;
                case "action": WriteActionMessage(w, (ActionMessage)message); break;
                case "script_registered": WriteScriptRegisteredMessage(w, (ScriptRegisteredMessage)message); break;
                case "npc_spawned": WriteNpcSpawnedMessage(w, (NpcSpawnedMessage)message); break;
                case "heard": WriteHeardMessage(w, (HeardMessage)message); break;
                case "action_chosen": WriteActionChosenMessage(w, (ActionChosenMessage)message); break;
                case "player_near": WritePlayerNearMessage(w, (PlayerNearMessage)message); break;
                case "player_left": WritePlayerLeftMessage(w, (PlayerLeftMessage)message); break;
                case "npc_tick": WriteNpcTickMessage(w, (NpcTickMessage)message); break;
                case "action_done": WriteActionDoneMessage(w, (ActionDoneMessage)message); break;
                case "facts": WriteFactsMessage(w, (FactsMessage)message); break;
                case "explanation": WriteExplanationMessage(w, (ExplanationMessage)message); break;
                case "moves": WriteMovesMessage(w, (MovesMessage)message); break;
                case "npc_states": WriteNpcStatesMessage(w, (NpcStatesMessage)message); break;
                case "stats": WriteStatsMessage(w, (StatsMessage)message); break;
                case "adapters": WriteAdaptersMessage(w, (AdaptersMessage)message); break;
            }
        }
    }
}
