// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>The roles of a session.</summary>
    public enum Role
    {
        Game,
        Mod,
        Observer,
    }

    /// <summary>Where state lies.</summary>
    public enum Tier
    {
        Device,
        Host,
        Disk,
        Absent,
    }

    /// <summary>The kinds of state that are moved between tiers.</summary>
    public enum StateKind
    {
        Prefix,
        Adapter,
        Weights,
        Blob,
    }

    /// <summary>The policies by which state moves are chosen.</summary>
    public enum PolicyName
    {
        Distance,
        Lru,
        Naive,
    }

    /// <summary>The kinds of speakers of a line.</summary>
    public enum SpeakerKind
    {
        Player,
        Npc,
        Narrator,
    }

    /// <summary>How urgent a reply is.</summary>
    public enum Priority
    {
        Player,
        Npc,
        Background,
    }

    /// <summary>The reasons for which a reply ends.</summary>
    public enum FinishReason
    {
        Stop,
        Length,
        Cancelled,
        Error,
    }

    /// <summary>What can be subscribed to.</summary>
    public enum Topic
    {
        Replies,
        Residency,
        Npcs,
        Stats,
    }

    /// <summary>The states of a replica.</summary>
    public enum ReplicaState
    {
        Serving,
        Draining,
        Drained,
        Lost,
    }

    /// <summary>The steps by which an engine gets ready.</summary>
    public enum EnginePhase
    {
        Download,
        Load,
    }

    /// <summary>The events of an NPC that a script may ask for.</summary>
    public enum ScriptEvent
    {
        Hear,
        Near,
        Tick,
    }

    /// <summary>The kinds of ticks.</summary>
    public enum TickKind
    {
        Keyframe,
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
