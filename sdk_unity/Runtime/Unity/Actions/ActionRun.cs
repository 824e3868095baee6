using System;
using System.Collections;
using System.Collections.Generic;
using System.Threading.Tasks;
using Callsheet.Core;
using UnityEngine;

namespace Callsheet
{
    /// <summary>
    /// Follows what a [CallsheetAction] method began until it is done, on the main thread, and tells the
    /// server what became of it.
    /// </summary>
    internal static class ActionRun
    {
        /// <summary>What a method may return, for messages.</summary>
        internal const string Results = "void, bool, string, IEnumerator, Task, Task<bool> or Task<string>";

        internal static bool CanReturn(Type type) =>
            type == typeof(void) || type == typeof(bool) || type == typeof(string) || type == typeof(IEnumerator)
            || type == typeof(Task) || type == typeof(Task<bool>) || type == typeof(Task<string>);

        /// <summary>Completes the action with what its method returned, now or when that has come to its end.</summary>
        internal static void Follow(MonoBehaviour component, NpcAction action, object returned)
        {
            var task = returned as Task;
            IEnumerator routine = task != null ? Wait(task) : returned as IEnumerator;
            if (routine == null)
            {
                Complete(action, returned);
            }
            else if (component.gameObject.activeInHierarchy)
            {
                component.StartCoroutine(Guarded(component, action, routine, returned));
            }
            else
            {
                Fail(action, Ids.Spoken(component.name) + " is inactive");
            }
        }

        /// <summary>The method, or what it began, threw this.</summary>
        internal static void Fail(MonoBehaviour component, NpcAction action, Exception thrown)
        {
            Debug.LogException(thrown, component);
            Fail(action, thrown.Message);
        }

        internal static void Fail(NpcAction action, string why)
        {
            if (!action.IsComplete)
            {
                action.Complete(false, action.Name + ": " + why);
            }
        }

        private static IEnumerator Wait(Task task)
        {
            while (!task.IsCompleted)
            {
                yield return null;
            }
            task.GetAwaiter().GetResult();
        }

        /// <summary>Runs a coroutine, and those it yields, so that what they throw fails the action instead of leaving it open.</summary>
        private static IEnumerator Guarded(MonoBehaviour component, NpcAction action, IEnumerator routine, object returned)
        {
            var nested = new Stack<IEnumerator>();
            nested.Push(routine);
            while (nested.Count > 0)
            {
                object yielded = null;
                bool goesOn;
                try
                {
                    goesOn = nested.Peek().MoveNext();
                    yielded = goesOn ? nested.Peek().Current : null;
                }
                catch (Exception thrown)
                {
                    Fail(component, action, thrown);
                    yield break;
                }
                if (!goesOn)
                {
                    nested.Pop();
                }
                else if (yielded is IEnumerator)
                {
                    nested.Push((IEnumerator)yielded);
                }
                else
                {
                    yield return yielded;
                }
            }
            Complete(action, returned);
        }

        private static void Complete(NpcAction action, object returned)
        {
            if (action.IsComplete)
            {
                return;
            }
            bool? ok = (returned as Task<bool>)?.Result ?? returned as bool?;
            string message = (returned as Task<string>)?.Result ?? returned as string;
            action.Complete(ok ?? true, message);
        }
    }
}
