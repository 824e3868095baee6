// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    public enum Role
    {
        Game,
        Mod,
        Observer,
    }

    public enum Tier
    {
        Device,
        Host,
        Disk,
        Absent,
    }

    public enum StateKind
    {
        Prefix,
        Adapter,
        Weights,
        Blob,
    }

    public enum PolicyName
    {
        Distance,
        Lru,
        Naive,
    }

    public enum SpeakerKind
    {
        Player,
        Npc,
        Narrator,
    }

    public enum Priority
    {
        Player,
        Npc,
        Background,
    }

    public enum FinishReason
    {
        Stop,
        Length,
        Cancelled,
        Error,
    }

    public enum Topic
    {
        Replies,
        Residency,
        Npcs,
        Stats,
    }

    public enum ReplicaState
    {
        Serving,
        Draining,
        Drained,
        Lost,
    }

    public enum ScriptEvent
    {
        Hear,
        Near,
        Tick,
    }

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
        internal static readonly string[] ScriptEvent = { "hear", "near", "tick" };
        internal static readonly string[] TickKind = { "keyframe", "delta" };
    }
}
