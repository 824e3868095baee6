using System;

namespace Callsheet
{
    /// <summary>
    /// Makes a method of a component on an NPC's object carry out the NPC's actions of one name.
    ///
    /// Parameters are filled by name: string, bool, int, long, float, double, an enum (by its name), or
    /// <see cref="Callsheet.Wire.JsonValue"/>. Those with a default may be left out. The method returns
    /// nothing, a bool (did it work) or a string (what happened), at once or as a Task; or it is a coroutine
    /// (IEnumerator), which is run. The NPC is told when that has come to its end; an exception fails the
    /// action with its message. A parameter of type <see cref="Callsheet.Core.NpcAction"/> is the action
    /// itself: a method that takes it and returns nothing completes it, then or later.
    /// </summary>
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class CallsheetActionAttribute : Attribute
    {
        /// <param name="name">The action's name; null = the method's.</param>
        public CallsheetActionAttribute(string name = null)
        {
            Name = name;
        }

        public string Name { get; }
    }
}
