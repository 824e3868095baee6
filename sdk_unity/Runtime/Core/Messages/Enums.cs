// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>The roles of a session.</summary>
    public enum Role
    {
        /// <summary>Owns its world: spawns NPCs, sends ticks, says and answers.</summary>
        Game,
        /// <summary>Scripts NPCs of a world that a game owns.</summary>
        Mod,
        /// <summary>Watches a world, and may walk in as a guest.</summary>
        Observer,
    }

    /// <summary>Where state lies.</summary>
    public enum Tier
    {
        /// <summary>In the engine's memory, ready to be used.</summary>
        Device,
        /// <summary>In the server's RAM.</summary>
        Host,
        /// <summary>On the server's disk.</summary>
        Disk,
        /// <summary>Nowhere: it is computed when it is needed.</summary>
        Absent,
    }

    /// <summary>The kinds of state that are moved between tiers.</summary>
    public enum StateKind
    {
        /// <summary>The KV cache of an NPC.</summary>
        Prefix,
        /// <summary>A LoRA adapter.</summary>
        Adapter,
        /// <summary>A whole model.</summary>
        Weights,
        /// <summary>Bytes that an engine keeps for an NPC.</summary>
        Blob,
    }

    /// <summary>The policies by which state moves are chosen.</summary>
    public enum PolicyName
    {
        /// <summary>Whoever is expected to speak soonest is kept ready.</summary>
        Distance,
        /// <summary>Whoever spoke last is kept ready; others are dropped and computed again.</summary>
        Lru,
        /// <summary>Whoever spoke last is kept ready; others are parked and loaded on demand.</summary>
        Naive,
    }

    /// <summary>The kinds of speakers of a line.</summary>
    public enum SpeakerKind
    {
        /// <summary>A person who plays.</summary>
        Player,
        /// <summary>Another NPC.</summary>
        Npc,
        /// <summary>Nobody in the world: the game itself tells.</summary>
        Narrator,
    }

    /// <summary>How urgent a reply is.</summary>
    public enum Priority
    {
        /// <summary>First: a person waits.</summary>
        Player,
        /// <summary>After players' replies.</summary>
        Npc,
        /// <summary>Last: nobody waits.</summary>
        Background,
    }

    /// <summary>The reasons for which a reply ends.</summary>
    public enum FinishReason
    {
        /// <summary>The reply came to its end.</summary>
        Stop,
        /// <summary>It reached its limit of length.</summary>
        Length,
        /// <summary>The client cancelled it.</summary>
        Cancelled,
        /// <summary>It failed; the message's <c>code</c> says why.</summary>
        Error,
    }

    /// <summary>What can be subscribed to.</summary>
    public enum Topic
    {
        /// <summary>Replies of the whole world.</summary>
        Replies,
        /// <summary>Moves of state between tiers.</summary>
        Residency,
        /// <summary>Pictures of all NPCs.</summary>
        Npcs,
        /// <summary>Counters of the server.</summary>
        Stats,
    }

    /// <summary>The states of a replica.</summary>
    public enum ReplicaState
    {
        /// <summary>It answers, and takes new NPCs.</summary>
        Serving,
        /// <summary>Its NPCs move to others; it takes no new ones.</summary>
        Draining,
        /// <summary>It is empty and may be stopped.</summary>
        Drained,
        /// <summary>It does not answer.</summary>
        Lost,
    }

    /// <summary>The steps by which an engine gets ready.</summary>
    public enum EnginePhase
    {
        /// <summary>The model is fetched.</summary>
        Download,
        /// <summary>It is made ready on this machine.</summary>
        Load,
    }

    /// <summary>The events of an NPC that a script may ask for.</summary>
    public enum ScriptEvent
    {
        /// <summary>Somebody speaks to the NPC.</summary>
        Hear,
        /// <summary>A player comes near.</summary>
        Near,
        /// <summary>Time passes.</summary>
        Tick,
    }

    /// <summary>The kinds of ticks.</summary>
    public enum TickKind
    {
        /// <summary>A picture of everybody.</summary>
        Keyframe,
        /// <summary>Those alone that have changed.</summary>
        Delta,
    }

    /// <summary>The names of enum values on the wire, by value.</summary>
    internal static class WireNames
    {
        internal static readonly string[] Role = { "game", "mod", "observer" };
        internal static readonly string[] Tier = { "device", "host", "disk", "absent" };
        internal static readonly string[] StateKind = { "prefix", "adapter", "weights", "blob" };
        internal static readonly string[] PolicyName = { "distance", "lru", "naive" };
        internal static readonly string[] SpeakerKind = { "player", "npc", "narrator" };
        internal static readonly string[] Priority = { "player", "npc", "background" };
        internal static readonly string[] FinishReason = { "stop", "length", "cancelled", "error" };
        internal static readonly string[] Topic = { "replies", "residency", "npcs", "stats" };
        internal static readonly string[] ReplicaState = { "serving", "draining", "drained", "lost" };
        internal static readonly string[] EnginePhase = { "download", "load" };
        internal static readonly string[] ScriptEvent = { "hear", "near", "tick" };
        internal static readonly string[] TickKind = { "keyframe", "delta" };
    }
}
