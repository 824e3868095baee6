using System;
using System.Collections;
using System.Collections.Generic;

namespace UnityEngine
{
    public class YieldInstruction
    {
    }

    public sealed class WaitForSeconds : YieldInstruction
    {
        internal readonly float Seconds;

        public WaitForSeconds(float seconds)
        {
            Seconds = seconds;
        }
    }

    /// <summary>A running coroutine, and those it waits for.</summary>
    public sealed class Coroutine : YieldInstruction
    {
        private static readonly List<Coroutine> Running = new List<Coroutine>();

        private readonly MonoBehaviour _owner;
        private readonly Stack<IEnumerator> _nested = new Stack<IEnumerator>();
        private double _waitsUntilS;

        private Coroutine(MonoBehaviour owner, IEnumerator routine)
        {
            _owner = owner;
            _nested.Push(routine);
        }

        /// <summary>Runs it to its first yield at once, as Unity does.</summary>
        internal static Coroutine Start(MonoBehaviour owner, IEnumerator routine)
        {
            if (!owner.gameObject.activeInHierarchy)
            {
                Debug.LogError("Coroutine couldn't be started because the game object '" + owner.name + "' is inactive!");
                return null;
            }
            var started = new Coroutine(owner, routine);
            Running.Add(started);
            started.Step();
            return started;
        }

        /// <summary>After Update: those whose wait is over go on.</summary>
        internal static void StepAll()
        {
            foreach (Coroutine running in Running.ToArray())
            {
                if (Running.Contains(running))
                {
                    running.Step();
                }
            }
        }

        /// <summary>Its object was made inactive or destroyed.</summary>
        internal static void Stop(GameObject owner) => Running.RemoveAll(c => c._owner.gameObject == owner);

        internal static void StopAll() => Running.Clear();

        private void Step()
        {
            if (Time.timeAsDouble < _waitsUntilS)
            {
                return;
            }
            try
            {
                while (_nested.Count > 0)
                {
                    if (!_nested.Peek().MoveNext())
                    {
                        _nested.Pop();
                        continue;
                    }
                    object yielded = _nested.Peek().Current;
                    if (!(yielded is IEnumerator))
                    {
                        _waitsUntilS = yielded is WaitForSeconds ? Time.timeAsDouble + ((WaitForSeconds)yielded).Seconds : 0;
                        return;
                    }
                    _nested.Push((IEnumerator)yielded);
                }
            }
            catch (Exception thrown)
            {
                Debug.LogException(thrown);
            }
            Running.Remove(this);
        }
    }
}
