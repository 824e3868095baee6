namespace Callsheet.Core
{
    /// <summary>How far a mover has come on its way into the server's world, and out of it.</summary>
    internal enum Presence
    {
        /// <summary>Waits to be told to the server.</summary>
        Arriving,

        /// <summary>The server was asked to spawn it and has not answered.</summary>
        UnderWay,

        Spawned,

        /// <summary>The server will not have it: see <see cref="Mover.Refusal"/>.</summary>
        Refused,

        /// <summary>Removed while under way: the answer tells whether there is anything to despawn.</summary>
        Leaving,

        /// <summary>Not of this world any more.</summary>
        Removed,
    }
}
